DROP TABLE renewal;
