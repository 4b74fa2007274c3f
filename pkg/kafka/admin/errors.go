package admin

import "errors"

// ErrRefused means that the topics of a cluster can't be changed to match the topics file. Nothing was changed.
var ErrRefused = errors.New("topics refused")
