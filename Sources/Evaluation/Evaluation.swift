// The first declarations of Evaluation land here.
