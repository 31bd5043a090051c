return await FlashSale.Tools.CommandLine.RunAsync(args, Console.Out, Console.Error, TimeProvider.System);
