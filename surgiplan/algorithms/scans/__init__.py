"""Work on whole scans: cut, sample anew, smooth, even out, bring together."""
