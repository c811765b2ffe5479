"""The local review page: look at a picture, correct its vertebrae, save them as truth."""
