"""Outputs: values to text, one module per format."""
