"""Studies whose cells are computed one after the other, each stored when it is finished: all but comparisons."""
