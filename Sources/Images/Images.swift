// The first declarations of Images land here.
