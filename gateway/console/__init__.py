"""The console: pages for people, rendered here, that work without script. They decide nothing: every act is the API's own."""
