// Package mask hides personal data in what the console shows to those who may not see it.
package mask
