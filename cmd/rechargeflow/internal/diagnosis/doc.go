// Package diagnosis has the command that checks an installation. Package app/doctor makes the checks.
//
//	doctor.go  rechargeflow doctor
//	print.go   how rows are printed
package diagnosis
