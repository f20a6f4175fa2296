"""URLs of my work, of the bell's list and of their workbooks, and of the sheets of the units."""

from django.urls import path

from worklist.views import lists, my, owed, returns

urlpatterns = [
    path("plans/<text:slug>/my.xlsx", lists.my_workbook, name="my_xlsx"),
    path("plans/<text:slug>/owed.xlsx", lists.owed_workbook, name="owed_xlsx"),
    path("plans/<text:slug>/my/", my.my, name="my"),
    path("plans/<text:slug>/my/unchanged/", my.my_unchanged, name="my_unchanged"),
    path("plans/<text:slug>/my/<text:ref>/", my.my_row, name="my_row"),
    path("plans/<text:slug>/owed/", owed.owed, name="owed"),
    path("plans/<text:slug>/exchange/returns/", returns.sheet_returns, name="sheet_returns"),
    path("plans/<text:slug>/exchange/returns/ask/", returns.sheet_requests, name="sheet_requests"),
    path("plans/<text:slug>/exchange/returns/sheets/", returns.sheet_archive, name="sheet_archive"),
]
