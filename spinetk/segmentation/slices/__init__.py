"""Lesions slice by slice, and colour pictures: glands, vessels, skin, cells."""
