// The first declarations of Broker land here.
