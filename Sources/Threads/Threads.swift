// The first declarations of Threads land here.
