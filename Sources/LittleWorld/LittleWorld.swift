// The first declarations of LittleWorld land here.
