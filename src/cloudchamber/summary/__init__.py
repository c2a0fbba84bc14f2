"""The first page of the report: what each study asks, and what came out."""
