def current_plan(request):
    return {}
