mod golden;
mod round_trip;
