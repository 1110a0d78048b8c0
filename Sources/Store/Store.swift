// The first declarations of Store land here.
