"""What editors and notebooks need: colours, a language server, a magic; all from the words of the grammar."""
