"""Live tests: an operator to a test result, by sending a real message as that operator."""
