// Package image holds the tests of what ships in containers: the image of rechargeflow, docker-compose.yml and the
// dashboard. They need a Docker engine and its command line, and say so where there is none.
package image
