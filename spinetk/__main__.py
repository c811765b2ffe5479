from spinetk.cli import main

main()
