"""Studies, their stored results, and the tables that are made from these."""
