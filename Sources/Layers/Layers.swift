// The first declarations of Layers land here.
