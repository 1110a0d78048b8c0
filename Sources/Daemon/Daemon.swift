// The first declarations of Daemon land here.
