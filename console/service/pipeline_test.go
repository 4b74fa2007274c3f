package service_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// troubled is a read model that can't read a topic.
type troubled struct {
	service.Model

	topic string
}

// Progress is part of service.Model.
func (m troubled) Progress() readmodel.Progress {
	p := m.Model.Progress()
	p.Topic, p.Trouble = m.topic, "read topic "+m.topic+": not authorized to read, asked by jo@example.com"
	return p
}

// The pipeline names the topic that the console can't read, and why.
func TestPipelineNamesTopicThatIsNotShown(t *testing.T) {
	w := newWorld(t)
	found, err := w.Pipeline(t.Context())
	require.NoError(t, err)
	for _, topic := range found.Topics {
		assert.Empty(t, topic.Unshown, topic.Name)
		assert.Empty(t, topic.Error, topic.Name)
	}
	assert.Empty(t, found.Reading.Trouble)

	messages := w.Config.Topics.Messages()
	w.Config.Model = troubled{w.Config.Model, messages}
	s := service.New(w.Config)
	t.Cleanup(s.Stop)
	found, err = s.Pipeline(t.Context())
	require.NoError(t, err)
	unshown := map[string]string{}
	for _, topic := range found.Topics {
		if topic.Unshown != "" {
			unshown[topic.Name] = topic.Unshown
		}
	}
	why := "read topic " + messages + ": not authorized to read, asked by j***@example.com"
	assert.Equal(t, map[string]string{messages: why}, unshown)
	assert.Equal(t, why, found.Reading.Trouble)
}
