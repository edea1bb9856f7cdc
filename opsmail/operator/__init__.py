"""The operator: a sending identity of a business system, its model and its digest."""
