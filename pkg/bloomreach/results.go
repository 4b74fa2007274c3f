package bloomreach

import (
	"encoding/json"
	"fmt"
)

// verdict is one entry of an answer's "results":
//
//	{"success":false,"errors":["At least one id should be specified."],"command_id":"6f1c"}
type verdict struct {
	commandID string   // empty when the answer does not repeat it
	success   string   // "true", "false", or anything else when the entry is of no use
	errors    []string // why not
}

// settle writes the verdicts of a 2xx answer into the results of the batch. An answer that leaves a command open is an
// error, after all others are settled.
func (c *Client) settle(a answer, batch []sending) error {
	verdicts := match(batch, readVerdicts(a.body))
	refusedUs, open := "", 0
	for i, s := range batch {
		config, isConfig := firstConfig(verdicts[i].errors)
		switch {
		case verdicts[i].success == "true":
			s.result.accept(a.requestID)
		case verdicts[i].success == "false" && isConfig:
			refusedUs = config
		case verdicts[i].success == "false":
			s.result.reject(a.requestID, c.cleaner.texts(verdicts[i].errors))
		default:
			open++
		}
	}
	switch {
	case refusedUs != "":
		return c.failure(ClassConfig, a, refusedUs)
	case open > 0:
		return c.failure(ClassUnknown, a, fmt.Sprintf("no usable result for %d of %d commands", open, len(batch)))
	}
	return nil
}

func readVerdicts(body []byte) []verdict {
	results := parseList(parseObject(body)["results"])
	verdicts := make([]verdict, len(results))
	for i, result := range results {
		parts := parseObject(result)
		verdicts[i] = verdict{success: string(parts["success"]), errors: errorTexts(parts)}
		if len(verdicts[i].errors) == 0 {
			verdicts[i].errors = []string{"rejected without a reason"}
		}
		_ = json.Unmarshal(parts["command_id"], &verdicts[i].commandID) // not a string: no id
	}
	return verdicts
}

// match returns the verdict of each command, empty where there is none. Bloomreach documents that command_id comes
// back, and not whether the results keep the order of the commands. So: by id; when no result carries one, by position,
// but only when there are as many results as commands.
func match(batch []sending, verdicts []verdict) []verdict {
	byID := make(map[string]verdict, len(verdicts))
	for _, v := range verdicts {
		if v.commandID == "" {
			continue
		}
		if earlier, twice := byID[v.commandID]; twice && earlier.success != v.success {
			v.success = "" // two answers that contradict each other are none
		}
		byID[v.commandID] = v
	}
	if len(byID) == 0 && len(verdicts) == len(batch) {
		return verdicts
	}
	matched := make([]verdict, len(batch))
	for i, s := range batch {
		matched[i] = byID[s.result.ID]
	}
	return matched
}
