"""What stands beside the views: steps, segments, landmarks, findings, guide."""
