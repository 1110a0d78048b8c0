// The first declarations of Autograd land here.
