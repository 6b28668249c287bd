"""How critical each asset is: what products say, rules, business context, and what a person set; see rules.yaml."""
