// The first declarations of Jobs land here.
