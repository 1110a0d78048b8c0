// The first declarations of Backbones land here.
