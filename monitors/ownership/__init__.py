"""The loop of a model's owner: join outcomes, audit, recompute panes, evaluate, alert."""
