// The first declarations of Workers land here.
