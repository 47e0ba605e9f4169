"""What in a data set a person should look at: copies, two labels for one picture, wrong labels."""
