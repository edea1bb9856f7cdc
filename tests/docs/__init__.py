"""What is written for people says what the program does."""
