// The public names of http.
export {};
