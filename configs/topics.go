package configs

import _ "embed"

//go:embed topics.yaml
var topics []byte

// Topics returns topics.yaml: the topics of the pipeline as it ships, in the shape that kafka.ParseTopics reads.
func Topics() []byte { return append([]byte(nil), topics...) }
