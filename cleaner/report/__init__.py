"""What people look at: views of a labelled document."""
