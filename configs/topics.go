package configs

import _ "embed"

//go:embed topics.yaml
var topics []byte

// Topics returns a copy of topics.yaml, the pipeline's topics, in the form that admin.ParseTopics reads.
func Topics() []byte { return append([]byte(nil), topics...) }
