"""What runs in processes of its own, with the code of the directory that is measured."""
