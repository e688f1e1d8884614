"""Studies of equation learners: how often they find the law behind data, alone and inside larger networks."""
