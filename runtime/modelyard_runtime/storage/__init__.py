"""Object stores and folders, and the datasets in them."""
