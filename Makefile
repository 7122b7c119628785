# What there is to do. Each target is a script beside what it sets up.

.PHONY: test soak

test: ## everything that is promised, checked
	tests/run.sh

soak: ## the tests that take minutes
	tests/soak.sh
