"""The workflows as GitHub would run them: their own steps, in their order, in repositories of the tests."""
