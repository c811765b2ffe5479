"""Results for people and for other programs: overlays, tables, pages, DICOM SR, exchange files, animations."""
