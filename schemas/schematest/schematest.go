// Package schematest validates values against the schemas, in tests and in the demo.
package schematest

import (
	"bytes"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rechargeflow/rechargeflow/schemas"
)

// Validator validates values.
type Validator struct {
	schemas map[string]*jsonschema.Schema
}

// New compiles all schemas.
func New() (*Validator, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, subject := range schemas.Subjects() {
		raw, err := schemas.Read(subject)
		if err != nil {
			return nil, err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("decode schema %s: %w", subject, err)
		}
		if err := compiler.AddResource(schemas.URN(subject), document); err != nil {
			return nil, fmt.Errorf("add schema %s: %w", subject, err)
		}
	}
	v := &Validator{schemas: map[string]*jsonschema.Schema{}}
	for _, subject := range schemas.Subjects() {
		compiled, err := compiler.Compile(schemas.URN(subject))
		if err != nil {
			return nil, fmt.Errorf("compile schema %s: %w", subject, err)
		}
		v.schemas[schemas.URN(subject)] = compiled
	}
	return v, nil
}

// Check validates value against the schema with the URN (a record's ce_dataschema). An unknown URN is an error.
func (v *Validator) Check(urn string, value []byte) error {
	schema, known := v.schemas[urn]
	if !known {
		return fmt.Errorf("no schema %q", urn)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return fmt.Errorf("decode value for %s: %w", urn, err)
	}
	if err := schema.Validate(document); err != nil {
		return fmt.Errorf("validate value against %s: %w", urn, err)
	}
	return nil
}
