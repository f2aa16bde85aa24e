"""What `regie demo offers` works on: alerts of six senders, their offers' pages, a seeker; all made up."""
