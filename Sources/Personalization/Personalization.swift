// The first declarations of Personalization land here.
