// The first declarations of Hashing land here.
