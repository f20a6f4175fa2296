"""The plan as workbooks that come back: the data sheet, a unit's sheet, and a whole plan to begin with."""
