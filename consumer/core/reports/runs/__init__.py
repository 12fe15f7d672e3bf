"""What commands that publish or touch say of what they find and do."""
