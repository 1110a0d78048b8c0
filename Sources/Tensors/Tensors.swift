// The first declarations of Tensors land here.
