"""The requests of the page, a module a matter. Every id from the browser is looked up; none becomes a path."""
